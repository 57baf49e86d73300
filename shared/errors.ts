/** Exit codes of the three commands. */
export const EXIT = {
  done: 0,
  failure: 1,
  usage: 2,
  tooFewWorkers: 3,
  interrupted: 130,
  terminated: 143,
} as const;

/**
 * A failure that the person at the terminal can act on: printed as its message alone, without a stack trace.
 * The message says what happened, where, and what to do.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Wrong flags or a wrong config: exit code 2. */
export class UsageError extends UserError {
  override readonly name = 'UsageError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.usage, options);
  }
}
