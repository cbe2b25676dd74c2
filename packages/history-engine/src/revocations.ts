// Places in the list of those whose rights ended. A place names the list it is of, so that one of a list that was lost
// is told from a place in this one. Spec: §5.

/** For how long it is told. */
export const REVOKED_FOR_MS = 3_600_000;

export function placeOf(epoch: string, serial: number): string {
  return `${epoch}/${serial}`;
}

/** A place in its parts; undefined for what is none. */
export function readPlace(place: string): { readonly epoch: string; readonly serial: number } | undefined {
  const [, epoch, digits] = /^(.+)\/([0-9]{1,15})$/s.exec(place) ?? [];
  return epoch === undefined ? undefined : { epoch, serial: Number(digits) };
}

/** The serial after which to tell: the newest when nothing is asked, none at all for the place of another list. */
export function serialOf(place: string | undefined, epoch: string, newest: number): number {
  if (place === undefined) return newest;
  const read = readPlace(place);
  return read?.epoch === epoch && read.serial <= newest ? read.serial : 0;
}
