/**
 * Watches over the other ranks beside the training, which may wait for the GPU or for MPI: each rank gives the next one a sign of life
 * twice a second, and ends all where the one before it gives none.
 *
 * @module
 */

import { SYMBOLS, type WatchRequest } from "./symbols.ts";

/** Milliseconds from one sign of life to the next. */
const BEAT = 500;

/** The tag of the messages. */
const TAG = 1;

/** The exit code of a job that lost a rank. */
const LOST = 70;

const scope = self as unknown as {
  onmessage: (event: MessageEvent<WatchRequest | "stop">) => void;
  postMessage(message: string): void;
};

function watch({ path, communicator, rank, size, silence }: WatchRequest): () => void {
  const { symbols } = Deno.dlopen(path, SYMBOLS);
  const byte = BigInt(symbols.MPI_Type_f2c(1));
  const [next, before] = [(rank + 1) % size, (rank + size - 1) % size];
  const [given, taken] = [new Uint8Array(1), new Uint8Array(1)];
  const [sending, receiving] = [new BigUint64Array(1), new BigUint64Array(1)];
  const flag = new Int32Array(1);
  const isDone = (request: BigUint64Array<ArrayBuffer>) => {
    flag[0] = 0;
    symbols.MPI_Test(request, flag, null);
    return flag[0] !== 0;
  };
  const send = () => symbols.MPI_Isend(given, 1, byte, next, TAG, communicator, sending);
  const receive = () => symbols.MPI_Irecv(taken, 1, byte, before, TAG, communicator, receiving);
  let heard = performance.now();
  let looked = heard;
  send();
  receive();
  const timer = setInterval(() => {
    const now = performance.now();
    // Where this process itself stood still, what was sent meanwhile is yet to be seen.
    if (now - looked > 4 * BEAT) heard = now;
    looked = now;
    while (isDone(receiving)) {
      heard = now;
      receive();
    }
    if (isDone(sending)) send();
    if (now - heard < silence * 1000) return;
    console.error(
      `Error: rank ${before} of ${size} has given no sign of life for ${silence} seconds: it died, or stands still. ` +
        `Rank ${rank} ends the others`,
    );
    symbols.MPI_Abort(communicator, LOST);
  }, BEAT);
  return () => clearInterval(timer);
}

let stop = () => {};
scope.onmessage = ({ data }) => {
  if (data === "stop") stop();
  else if (data.size > 1) stop = watch(data);
  scope.postMessage(data === "stop" ? "stopped" : "watching");
};
