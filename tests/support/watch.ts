/**
 * A device that is watched: what is alive on it, which calls are made outside of error scopes, how often it is waited for; and any of its
 * calls can be given an error.
 *
 * @module
 */

/** What is seen of a device, and may be asked of it. */
export interface Watched {
  /** Buffers and textures that were created and not destroyed. */
  readonly alive: ReadonlySet<object>;
  /** Calls that may have an error, so far. */
  readonly calls: number;
  /** Those of them that were made outside of an error scope. */
  readonly unscoped: readonly string[];
  /** Reads that were waited for. */
  readonly waits: number;
  /** Makes the call of this number, from now on, one with an error; none where that is negative. */
  failAt(call: number): void;
  /** Whether that call was made. */
  readonly failed: boolean;
}

/** Watches a device from now on. */
export function watch(device: GPUDevice): Watched {
  const alive = new Set<object>();
  const unscoped: string[] = [];
  let [calls, waits, depth, failing] = [0, 0, 0, -1];
  const createBuffer = device.createBuffer.bind(device);
  // deno-lint-ignore no-explicit-any
  const wrap = (target: any, names: readonly string[], after: (result: any, name: string) => void = () => {}) => {
    for (const name of names) {
      const call = target[name].bind(target);
      target[name] = (...args: unknown[]) => {
        if (depth === 0) unscoped.push(name);
        if (calls++ === failing) {
          createBuffer({ label: "broken", size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE });
        }
        const result = call(...args);
        after(result, name);
        return result;
      };
    }
  };
  wrap(device, ["createBuffer", "createTexture"], (made) => {
    alive.add(made);
    const destroy = made.destroy.bind(made);
    made.destroy = () => {
      alive.delete(made);
      destroy();
    };
    if (made.mapAsync) wrap(made, ["mapAsync"], () => waits++);
  });
  wrap(device, [
    "createBindGroup",
    "createBindGroupLayout",
    "createComputePipelineAsync",
    "createPipelineLayout",
    "createShaderModule",
  ]);
  wrap(device, ["createCommandEncoder"], (encoder) => wrap(encoder, ["finish"]));
  wrap(device.queue, ["submit", "writeBuffer"]);
  const [push, pop] = [device.pushErrorScope.bind(device), device.popErrorScope.bind(device)];
  device.pushErrorScope = (filter) => {
    depth++;
    push(filter);
  };
  device.popErrorScope = () => {
    depth--;
    return pop();
  };
  return {
    alive,
    unscoped,
    get calls() {
      return calls;
    },
    get waits() {
      return waits;
    },
    get failed() {
      return failing >= 0 && calls > failing;
    },
    failAt(call) {
      failing = call < 0 ? -1 : calls + call;
    },
  };
}

/** A device that says that it has other limits. */
export function limited(device: GPUDevice, limits: Partial<Record<keyof GPUSupportedLimits, number>>): GPUDevice {
  const { limits: own } = device;
  const told = new Proxy(own, {
    get: (_, name) => limits[name as keyof typeof limits] ?? own[name as keyof typeof own],
  });
  Object.defineProperty(device, "limits", { value: told });
  return device;
}
