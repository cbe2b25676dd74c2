// Texts as columns hold them. PostgreSQL refuses a NUL, and half of a surrogate pair would become another character, so
// what JSON escapes is stored escaped; an id in order is stored as it is. No two texts give one column.

const plain = /^[\w .:@+-]*$/;

export function toColumn(text: string): string {
  return plain.test(text) ? text : JSON.stringify(text).slice(1, -1);
}

export function fromColumn(column: string): string {
  return column.includes('\\') ? (JSON.parse(`"${column}"`) as string) : column;
}
