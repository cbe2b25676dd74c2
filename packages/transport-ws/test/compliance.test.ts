import { transportSuite } from '@haip/testing';
import { openTransport } from './open-transport.ts';

transportSuite({ name: 'WebSocket', open: openTransport });
