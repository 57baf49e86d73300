/** Half the second-level cache of a server's core; measured: 8 % faster than maps of twice or four times as much. */
export const CPU_MAP_BYTES = 2 ** 20;
