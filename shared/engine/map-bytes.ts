/** Half the second-level cache of a server's core; of 1 to 4 MB the smallest were the fastest. */
export const CPU_MAP_BYTES = 2 ** 20;
