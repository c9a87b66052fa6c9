// Milliseconds in the worker for what the smart tools do over a view of 1440 x 900 samples.
// Prints lines of a table; `cargo xtask bench --smart` shows them.
import { expect, test } from "../fixtures";

test("smart tools", async ({ admin, page, signIn }) => {
  await signIn(page, admin);
  await page.goto("/");
  const rows = await page.evaluate(async () => {
    const [W, H] = [1440, 900];
    // Blobs of several colours on a gradient, with noise: the same each time.
    const rgba = new Uint8Array(W * H * 4);
    let seed = 11;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const blobs = Array.from({ length: 24 }, () => [random() * W, random() * H, 40 + random() * 130, random() * 255, random() * 255, random() * 255]);
    blobs.push([720, 450, 200, 205, 70, 60]);
    for (let y = 0; y < H; y++)
      for (let x = 0; x < W; x++) {
        let color = [60 + x / 20, 80 + y / 15, 120];
        for (const [cx, cy, r, ...c] of blobs) if (Math.hypot(x - cx, y - cy) < r) color = c;
        const noise = random() * 14 - 7;
        const at = (y * W + x) * 4;
        for (let k = 0; k < 3; k++) rgba[at + k] = Math.max(0, Math.min(255, color[k] + noise));
        rgba[at + 3] = 255;
      }
    const passing = performance.now();
    let sum = 0;
    for (let n = 0; n < 5; n++) for (let i = 0; i < rgba.length; i += 4) sum += rgba[i] * 2 + rgba[i + 1] * 3 + rgba[i + 2];
    const pass = (performance.now() - passing) / 5;
    if (sum === 0) throw new Error("nothing drawn");
    const worker = new Worker("/vision.js", { type: "module" });
    const next = () =>
      new Promise<any>((done, fail) => {
        worker.onmessage = ({ data }) => (data.failed ? fail(new Error(data.failed)) : done(data));
        worker.onerror = () => fail(new Error("the worker could not be loaded"));
      });
    await next();
    const sampling = { x: 0, y: 0, width: W, height: H, columns: W, rows: H, image_width: W, image_height: H };
    const show = () => {
      const pixels = rgba.slice().buffer;
      worker.postMessage({ sampling: JSON.stringify(sampling), pixels }, [pixels]);
    };
    const ask = async (question: unknown): Promise<number> => {
      const heard = next();
      worker.postMessage({ id: 1, ask: JSON.stringify(question) });
      const { answer, ms } = await heard;
      if (!answer) throw new Error("no answer");
      return ms;
    };
    const click = (x: number, y: number, include = true) => ({ points: [{ x, y }], include });
    const wand = (tolerance: number, everywhere = false) => ({ tool: "wand", scribbles: [click(720, 450)], tolerance, everywhere, smooth: true });
    const brush = (n: number) => ({
      tool: "superpixels",
      scribbles: [{ points: Array.from({ length: n }, (_, k) => ({ x: 600 + k * 2, y: 430 + k })), include: true }],
      grain: 16,
      hover: { x: 700, y: 500 },
    });
    const frame = { x: 480, y: 210, w: 480, h: 480 };
    const cut = (...scribbles: unknown[]) => ({ tool: "cut", frame, scribbles });
    const stop = (x: number, y: number) => ({ at: { x, y }, reach: 8 });
    const wire = (x: number, y: number) => ({ tool: "wire", legs: [[stop(920, 450), stop(x, y)]] });
    // The middle of five goes, each over a picture that nothing is known of yet: the first question, and the next one.
    const cases: [string, unknown, unknown][] = [
      ["wand: a click; another tolerance", wand(20), wand(30)],
      ["wand, everywhere: a click; another tolerance", wand(20, true), wand(30, true)],
      ["scissors: taken in hand (the edges of the view); the first way, 400 px", { tool: "wire", legs: [] }, wire(720, 250)],
      ["scissors, the edges not ready: first way; the pointer goes on", wire(720, 250), wire(620, 275)],
      ["superpixels: the tile under the stroke; the stroke goes on", brush(20), brush(40)],
      ["cut: a box of 480 x 480; one click more", cut(), cut(click(720, 450), click(500, 230, false))],
    ];
    const middle = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
    const rows: [string, number, number][] = [];
    for (const [name, first, then] of cases) {
      const [a, b]: [number[], number[]] = [[], []];
      for (let n = 0; n < 5; n++) {
        show();
        a.push(await ask(first));
        b.push(await ask(then));
      }
      rows.push([name, middle(a), middle(b)]);
    }
    return { rows, pass };
  });
  for (const [name, first, then] of rows.rows) {
    console.log(`| ${name} | ${first.toFixed(1)} | ${then.toFixed(1)} | ${rows.pass.toFixed(1)} |`);
  }
  expect(rows.rows).toHaveLength(6);
});
