// Places in the list of those whose rights ended. A place names the list it is of, so that one of a list that was lost
// is told from a place in this one. Spec: §5.

/** For how long it is told. */
export const REVOKED_FOR_MS = 3_600_000;

export function placeOf(epoch: string, serial: number): string {
  return `${epoch}/${serial}`;
}

/** The serial after which to tell: the newest when nothing is asked, none at all for the place of another list. */
export function serialOf(place: string | undefined, epoch: string, newest: number): number {
  if (place === undefined) return newest;
  const serial = place.startsWith(`${epoch}/`) ? Number(place.slice(epoch.length + 1)) : Number.NaN;
  return Number.isSafeInteger(serial) && serial <= newest ? serial : 0;
}
