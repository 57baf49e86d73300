import { UserError } from '../errors.js';

/** What is wrong with a compressed file, or why it can't be decompressed here. */
export class CompressionError extends UserError {
  override readonly name = 'CompressionError';
}
