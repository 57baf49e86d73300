import { UserError } from '../errors.js';

/** A symbol that can't be coded, or bytes that no message was coded to. */
export class CodingError extends UserError {
  override readonly name = 'CodingError';
}
