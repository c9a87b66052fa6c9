// The worker of the smart tools. Messages in: {sampling, pixels} or {id, ask}; out: {ready}, {id, answer, ms} or {failed}.
import init, { answer, look } from "/pkg/limn-vision.KEY.js";

const failed = (error) => postMessage({ failed: String(error) });

onmessage = ({ data }) => {
  try {
    if (data.sampling) look(data.sampling, new Uint8Array(data.pixels));
    else {
      const from = performance.now();
      const said = answer(data.ask);
      postMessage({ id: data.id, answer: said, ms: performance.now() - from });
    }
  } catch (error) {
    failed(error);
  }
};

init({ module_or_path: "/pkg/limn-vision.KEY.wasm" }).then(() => postMessage({ ready: true }), failed);
