/** Fields of protobuf messages: a message is its fields one after another. Of the wire format only what TensorBoard's messages need. */

const WIRE = { varint: 0, eightBytes: 1, bytes: 2, fourBytes: 5 } as const;

/** A message's bytes, also what a field of it holds. */
export function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

/** A whole number from 0 to 2^53 - 1: int64, or an enum. */
export function integer(field: number, value: number): Uint8Array {
  return message(key(field, WIRE.varint), varint(value));
}

export function double(field: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return message(key(field, WIRE.eightBytes), bytes);
}

export function float(field: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return message(key(field, WIRE.fourBytes), bytes);
}

/** Text in UTF-8, bytes, or a message. */
export function bytes(field: number, value: string | Uint8Array): Uint8Array {
  const content = typeof value === 'string' ? Buffer.from(value) : value;
  return message(key(field, WIRE.bytes), varint(content.length), content);
}

/** Repeated, packed. */
export function doubles(field: number, values: readonly number[]): Uint8Array {
  const content = Buffer.alloc(8 * values.length);
  values.forEach((value, i) => content.writeDoubleLE(value, 8 * i));
  return bytes(field, content);
}

const key = (field: number, wire: number) => varint(field * 8 + wire);

/** Seven bits a byte, the lowest first; beyond 32 bits no bit operation works. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Uint8Array.from([...bytes, value]);
}
