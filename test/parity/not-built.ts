/** Thrown by a check of a case whose feature the project lacks so far; the message names the feature. */
export class NotBuilt extends Error {
  override readonly name = 'NotBuilt';
}
