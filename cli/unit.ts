import type { Medium } from '../shared/config/medium.js';

/** What an evaluation's bits are bits per, in words: of a variable of the medium. */
export function bitsPer({ kind }: Medium): string {
  return { image: 'bits per dimension', text: 'bits per character', audio: 'bits per sample' }[kind];
}
