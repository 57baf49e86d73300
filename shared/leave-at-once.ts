import koffi from 'koffi';

/**
 * Ends the process without a word to its threads. Node would interrupt them first, and one that is inside ONNX Runtime
 * can't be: it brings the whole process down with SIGABRT.
 */
export function leaveAtOnce(exitCode: number): never {
  const runtime = koffi.load(process.platform === 'win32' ? 'ucrtbase.dll' : null);
  runtime.func('void _exit(int)')(exitCode);
  throw new Error('unreachable');
}
