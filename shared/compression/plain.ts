import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';

/** Larger blocks than this would take minutes at the highest level. */
const SLOW_BYTES = 2 ** 26;

/** Packs what no model covers. */
export async function packPlain(bytes: Uint8Array): Promise<Uint8Array> {
  const {
    BROTLI_PARAM_QUALITY: quality,
    BROTLI_PARAM_LGWIN: window,
    BROTLI_PARAM_SIZE_HINT: hint,
  } = constants;
  const params = {
    [quality]: bytes.length > SLOW_BYTES ? 9 : constants.BROTLI_MAX_QUALITY,
    [window]: constants.BROTLI_MAX_WINDOW_BITS,
    [hint]: Math.min(bytes.length, 2 ** 31 - 1),
  };
  return promisify(brotliCompress)(bytes, { params });
}

/** Gives back `length` bytes, at least one; undefined where the packed ones give others, or more. */
export async function unpackPlain(packed: Uint8Array, length: number): Promise<Uint8Array | undefined> {
  const unpacked = await promisify(brotliDecompress)(packed, { maxOutputLength: length }).catch(
    () => undefined,
  );
  return unpacked?.length === length ? unpacked : undefined;
}
