/**
 * 1 where begin <= rank < end, else 0, into `into` (section 1.2): the known positions at time t are the ranks [0, t), those
 * to predict [t, P), those that a parallel step generates [policy[j], policy[j + 1]).
 */
export function rankMask(order: Int32Array, begin: number, end: number, into: Uint8Array): void {
  for (let v = 0; v < order.length; v++) into[v] = order[v]! >= begin && order[v]! < end ? 1 : 0;
}
