import koffi from 'koffi';
import { isMainThread } from 'node:worker_threads';

/**
 * Sets an environment variable that a native library reads when it loads. In a worker thread `process.env` is a copy
 * of the process's own variables, which native libraries don't see; on Windows set it in the main thread.
 */
export function exportVariable(name: string, value: string): void {
  process.env[name] = value;
  if (isMainThread || process.platform === 'win32') return;
  koffi.load(null).func('int setenv(const char *, const char *, int)')(name, value, 1);
}

/** Read when CUDA loads: float32 stays float32, and GPUs are counted as nvidia-smi counts them. */
export function prepareCuda(): void {
  exportVariable('NVIDIA_TF32_OVERRIDE', '0');
  exportVariable('CUDA_DEVICE_ORDER', 'PCI_BUS_ID');
}
