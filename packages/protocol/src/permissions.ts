// Who may send what. Exact names or the wildcard, kept in Maps and Sets so that no id meets a prototype. Spec: §5.

/** Event type → the transactions (for TRANSACTION_START: the tools) it is allowed in; `*` stands for all. */
export type PermissionMap = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Makes a permission map from event types to lists of transaction ids, or `"*"` for all.
 *
 * @example createPermissionMap({ MESSAGE: ['*'], TRANSACTION_JOIN: ['team-room'] })
 * @throws TypeError when a value is not a list of strings.
 */
export function createPermissionMap(permissions: Readonly<Record<string, readonly string[]>>): PermissionMap {
  const map = new Map<string, ReadonlySet<string>>();
  for (const [type, targets] of Object.entries(permissions)) {
    if (!Array.isArray(targets) || !targets.every((target) => typeof target === 'string')) {
      throw new TypeError(`permissions.${type}: expected a list, say ["*"] or ["room-1"]`);
    }
    map.set(type, new Set<string>(targets));
  }
  return map;
}

const alwaysAllowed: ReadonlySet<string> = new Set(['HAI', 'PING', 'PONG']);
const coveredByMessage: ReadonlySet<string> = new Set(['MESSAGE_START', 'MESSAGE_PART', 'MESSAGE_END']);

/**
 * True when the map lets its user send `type` to `target`: a transaction id, or a tool's name for TRANSACTION_START,
 * which everybody may send unless the map names tools. MESSAGE covers MESSAGE_START, _PART and _END.
 */
export function isAllowed(permissions: PermissionMap, type: string, target: string): boolean {
  const targets = permissions.get(coveredByMessage.has(type) ? 'MESSAGE' : type);
  if (targets === undefined || alwaysAllowed.has(type)) return alwaysAllowed.has(type) || type === 'TRANSACTION_START';
  return targets.has('*') || targets.has(target);
}
