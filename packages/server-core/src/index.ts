export { isSameSecret } from '@haip/platform';
export { type Call, createPermissionMap, type HAIPUser, type StopReason, type Tool, type Turn } from '@haip/protocol';
export { defaultLimits, type ServerLimits } from './limits.ts';
export { HAIPServer, type HAIPServerOptions } from './server.ts';
