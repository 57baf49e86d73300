import assert from 'node:assert/strict';
import test from 'node:test';
import { Context, Dealer, Router } from 'zeromq';
import { Admission, ZAP_DOMAIN } from '../../coordinator/admission.js';

test(
  'where there is no room a connection is asked to come later, and does',
  { timeout: 30_000 },
  async (t) => {
    const context = new Context();
    const refused: string[] = [];
    let isFull = true;
    const admission = new Admission(context, {
      keys: undefined,
      isFull: () => isFull,
      refused: (reason) => refused.push(reason),
    });
    await admission.open();
    const router = new Router({ context, linger: 0, zapDomain: ZAP_DOMAIN, handshakeInterval: 200 });
    const dealer = new Dealer({ linger: 0, reconnectInterval: 50 });
    t.after(() => [router, dealer, admission].forEach((each) => each.close()));
    await router.bind('tcp://127.0.0.1:0');
    dealer.connect(router.lastEndpoint!);
    void dealer.send('hello');
    while (refused.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(refused[0], '127.0.0.1: there are too many connections');
    isFull = false;
    const [, said] = await router.receive();
    assert.equal(String(said), 'hello');
  },
);
