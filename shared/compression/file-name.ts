/** What file systems take at most, in bytes of UTF-8. */
const MAX_BYTES = 255;
/** Windows gives these to devices, whatever ending they have. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;

/**
 * Why a file can't safely be given this name inside a folder, or undefined where it can: it has to be one name, which leads nowhere
 * else, and on Windows no device or stream.
 */
export function nameProblem(name: string, platform: NodeJS.Platform = process.platform): string | undefined {
  if (name === '') return 'it is empty';
  if (name === '.' || name === '..') return 'it is a folder’s';
  if (/[/\\]/.test(name)) return 'it has a slash';
  if (/\p{Cc}/u.test(name)) return 'it has control characters';
  if (Buffer.byteLength(name) > MAX_BYTES) return `it is longer than ${MAX_BYTES} bytes`;
  if (platform !== 'win32') return undefined;
  if (/[<>:"|?*]/.test(name)) return 'it has a character that Windows reserves';
  if (/[. ]$/.test(name)) return 'it ends in a dot or a space, which Windows drops';
  return DEVICE.test(name) ? 'Windows reserves it for a device' : undefined;
}
