// The smart tools on a picture whose shapes are known: what they find, undo and redo, what the server keeps.
import { drawn, makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, hydrated, test, unique } from "../fixtures";
import type { Api } from "../fixtures";
import type { Page } from "@playwright/test";

const W = 480;
const H = 360;
type Test = (x: number, y: number) => boolean;
const disc: Test = (x, y) => Math.hypot(x - 150, y - 150) < 80;
const block: Test = (x, y) => x >= 290 && x < 430 && y >= 120 && y < 300;

/** A red disc and a green block on a gradient, with noise. */
function picture(): Uint8Array {
  let seed = 5;
  const noise = () => ((seed = (seed * 16807) % 2147483647) % 13) - 6;
  return new Uint8Array(
    drawn(W, H, (x, y) => {
      const base = disc(x + 0.5, y + 0.5) ? [205, 70, 60] : block(x + 0.5, y + 0.5) ? [70, 150, 80] : [55 + x / 12, 70 + y / 12, 120];
      return base.map((v) => Math.max(0, Math.min(255, Math.round(v) + noise()))) as [number, number, number];
    }),
  );
}

type Mask = { x: number; y: number; width: number; height: number; counts: string };
type Stored = { category_id: string; kind: string; mask?: Mask; parts?: number[][][][] };

async function stored(api: Api, project: string): Promise<Stored[]> {
  const [row] = (await api.get(`/api/v1/projects/${project}/items`)).rows;
  return row.annotations;
}

/** COCO's compressed counts. */
function runs(text: string): number[] {
  const out: number[] = [];
  for (let p = 0; p < text.length; ) {
    let [value, k, more] = [0, 0, true];
    while (more) {
      const c = text.charCodeAt(p++) - 48;
      value |= (c & 0x1f) << (5 * k++);
      more = (c & 0x20) !== 0;
      if (!more && c & 0x10) value |= -1 << (5 * k);
    }
    out.push(out.length > 2 ? value + out[out.length - 2] : value);
  }
  return out;
}

function inside(a: Stored): Test {
  if (a.mask) {
    const { x: left, y: top, width, height, counts } = a.mask;
    const bits = new Uint8Array(width * height);
    let at = 0;
    runs(counts).forEach((n, i) => {
      if (i % 2) bits.fill(1, at, at + n);
      at += n;
    });
    return (x, y) => {
      const [c, r] = [Math.floor(x) - left, Math.floor(y) - top];
      return c >= 0 && r >= 0 && c < width && r < height && bits[c * height + r] === 1;
    };
  }
  const rings = a.parts!.flat();
  return (x, y) => {
    let odd = false;
    for (const ring of rings)
      ring.forEach(([x0, y0], i) => {
        const [x1, y1] = ring[(i + 1) % ring.length];
        if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) odd = !odd;
      });
    return odd;
  };
}

/** Intersection over union with what is right, pixel by pixel. */
function iou(a: Stored, right: Test): number {
  const has = inside(a);
  let [both, either] = [0, 0];
  for (let y = 0.5; y < H; y++)
    for (let x = 0.5; x < W; x++) {
      const [h, r] = [has(x, y), right(x, y)];
      both += Number(h && r);
      either += Number(h || r);
    }
  return both / either;
}

/** Screen places of image pixels: the picture is fitted into the stage with a margin (see the viewport). */
async function placed(label: LabelPage): Promise<(x: number, y: number) => [number, number]> {
  const box = (await label.stage.boundingBox())!;
  const m = 2 * Math.min(48, Math.max(8, 0.06 * Math.min(box.width, box.height)));
  const k = Math.min(8, (box.width - m) / W, (box.height - m) / H);
  return (x, y) => [box.x + (box.width - W * k) / 2 + x * k, box.y + (box.height - H * k) / 2 + y * k];
}

async function start(api: Api, page: Page, task: string) {
  const project = await makeProject(api, unique("Smart"), { task, items: 0 });
  const response = await api.raw("POST", `/api/v1/projects/${project.id}/items?name=shapes.png`, picture());
  expect(response.ok).toBe(true);
  const label = new LabelPage(page);
  await label.open(project.id);
  const at = await placed(label);
  const click = async (x: number, y: number, modifier?: "Alt" | "Shift") => {
    if (modifier) await page.keyboard.down(modifier);
    await page.mouse.click(...at(x, y));
    if (modifier) await page.keyboard.up(modifier);
  };
  const drag = async (points: [number, number][], steps = 6) => {
    await page.mouse.move(...at(...points[0]));
    await page.mouse.down();
    for (const p of points.slice(1)) await page.mouse.move(...at(...p), { steps });
    await page.mouse.up();
  };
  /** Waits for the answer to what was asked last. */
  const settled = () => expect(page.getByTestId("proposal")).toHaveAttribute("aria-busy", "false");
  const one = async () => {
    await label.saved();
    await expect.poll(async () => (await stored(api, project.id)).length).toBe(1);
    return (await stored(api, project.id))[0];
  };
  await page.keyboard.press("1");
  return { project, label, click, drag, settled, one, at };
}

test("the wand: tolerance by drag and key, add, exclude, undo, redo", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  await signIn(page, admin);
  const asked: string[] = [];
  page.on("request", (r) => asked.push(new URL(r.url()).pathname));
  const { project, label, click, drag, settled, one, at } = await start(api, page, "segmentation");
  expect(asked.filter((p) => p.includes("vision"))).toEqual([]);
  await page.keyboard.press("Shift+m");
  await expect(page.getByTestId("smart-bar")).toBeVisible();
  expect(asked.filter((p) => p.includes("vision"))).toHaveLength(3);
  const tolerance = async () => Number(await page.getByTestId("tolerance").innerText());
  const before = await tolerance();
  await page.keyboard.press("]");
  expect(await tolerance()).toBe(before + 1);
  await click(150, 150);
  await settled();
  expect(await label.count()).toBe(0);
  await shots(page, "smart-wand");
  await page.setViewportSize({ width: 1440, height: 900 });
  await a11y(page);
  await page.keyboard.press("Enter");
  await expect.poll(() => label.count()).toBe(1);
  const found = await one();
  expect(found.kind).toBe("mask");
  expect(iou(found, disc)).toBeGreaterThan(0.95);
  // Nothing is left of a proposal that is dropped, or taken back click by click.
  await click(350, 200);
  await settled();
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("proposal")).toHaveCount(0);
  await click(350, 200);
  await settled();
  await page.keyboard.press("Backspace");
  await expect(page.getByTestId("proposal")).toHaveCount(0);
  expect(await label.count()).toBe(1);
  // A drag sideways is more tolerance: in the end everything is in.
  await page.keyboard.press("Control+z");
  await expect.poll(() => label.count()).toBe(0);
  await page.keyboard.press("Control+Shift+z");
  await expect.poll(() => label.count()).toBe(1);
  expect(iou(await one(), disc)).toBeGreaterThan(0.95);
  // Shift adds to the selected object.
  const now = await tolerance();
  await page.keyboard.down("Shift");
  await drag([[360, 200], [380, 200]]);
  await page.keyboard.up("Shift");
  await settled();
  expect(await tolerance()).toBeGreaterThan(now);
  await page.keyboard.press("Enter");
  await expect.poll(async () => iou(await one(), (x, y) => disc(x, y) || block(x, y))).toBeGreaterThan(0.95);
  // Alt takes from it.
  await click(360, 200, "Alt");
  await settled();
  await page.keyboard.press("Enter");
  await expect.poll(async () => iou(await one(), disc)).toBeGreaterThan(0.93);
  // After a reload all steps are there.
  await page.reload();
  await hydrated(page);
  await label.ready();
  for (let n = 0; n < 3; n++) await page.keyboard.press("Control+z");
  await expect.poll(() => label.count()).toBe(0);
  await label.saved();
  await expect.poll(async () => (await stored(api, project.id)).length).toBe(0);
  expect(at(0, 0)).toHaveLength(2);
});

test("cut: a box, refined by clicks; as an outline", async ({ limn, admin, page, signIn, shots }) => {
  const api = limn.api(admin.token);
  await signIn(page, admin);
  const { click, drag, settled, one } = await start(api, page, "segmentation");
  await page.keyboard.press("Shift+o");
  await page.getByTestId("smart-bar").getByLabel("As outline").check();
  await drag([[55, 55], [245, 240]]);
  await settled();
  await shots(page, "smart-cut");
  await page.setViewportSize({ width: 1440, height: 900 });
  // A click that says no cuts away, and is taken back.
  await click(150, 150, "Alt");
  await settled();
  await page.keyboard.press("Backspace");
  await click(150, 150);
  await settled();
  await page.keyboard.press("Enter");
  const found = await one();
  expect(found.kind).toBe("polygon");
  expect(iou(found, disc)).toBeGreaterThan(0.95);
  await page.keyboard.press("Control+z");
});

test("superpixels: dragged over, taken away", async ({ limn, admin, page, signIn, shots }) => {
  const api = limn.api(admin.token);
  await signIn(page, admin);
  const { drag, click, settled, one } = await start(api, page, "semantic");
  await page.keyboard.press("Shift+b");
  await expect(page.getByTestId("smart-bar")).toBeVisible();
  const lines: [number, number][] = [];
  for (let y = 124; y < 300; y += 7) lines.push([294, y], [426, y]);
  await drag(lines, 2);
  await settled();
  await shots(page, "smart-superpixels");
  await page.setViewportSize({ width: 1440, height: 900 });
  await click(360, 200, "Alt");
  await settled();
  await page.keyboard.press("Backspace");
  await settled();
  await page.keyboard.press("Enter");
  const found = await one();
  expect(found.kind).toBe("mask");
  expect(iou(found, block)).toBeGreaterThan(0.95);
});

test("scissors: an outline along the edge by a few rough clicks", async ({ limn, admin, page, signIn, shots }) => {
  const api = limn.api(admin.token);
  await signIn(page, admin);
  const { click, at, settled, one } = await start(api, page, "objects");
  await page.keyboard.press("Shift+e");
  await expect(page.getByTestId("smart-bar")).toBeVisible();
  for (let n = 0; n < 4; n++) {
    const a = (n / 4) * 2 * Math.PI;
    await click(150 + 81 * Math.cos(a), 150 + 79 * Math.sin(a));
    await settled();
  }
  await page.mouse.move(...at(210, 90));
  await shots(page, "smart-scissors");
  await page.setViewportSize({ width: 1440, height: 900 });
  // A corner too many is taken back.
  await click(300, 60);
  await page.keyboard.press("Backspace");
  await settled();
  await page.keyboard.press("Enter");
  const found = await one();
  expect(found.kind).toBe("polygon");
  expect(iou(found, disc)).toBeGreaterThan(0.95);
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+Shift+z");
  expect(iou(await one(), disc)).toBeGreaterThan(0.95);
});

test.describe("without the worker", () => {
  test.use({ allowErrors: [/vision\.js|Failed to load resource|ERR_FAILED/] });
  test("the page says so, works on, and tries again", async ({ limn, admin, page, signIn }) => {
    const api = limn.api(admin.token);
    await signIn(page, admin);
    await page.route("**/vision.js", (route) => route.abort());
    const { label, click, settled, one } = await start(api, page, "segmentation");
    await page.keyboard.press("Shift+m");
    await expect(page.getByTestId("smart-failed")).toContainText("Everything else works");
    await page.keyboard.press("b");
    await label.drag([0.4, 0.4], [0.45, 0.4]);
    await expect.poll(() => label.count()).toBe(1);
    await page.keyboard.press("Control+z");
    await page.unroute("**/vision.js");
    await page.keyboard.press("Shift+m");
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByTestId("smart-bar")).toBeVisible();
    await click(150, 150);
    await settled();
    await page.keyboard.press("Enter");
    expect(iou(await one(), disc)).toBeGreaterThan(0.95);
  });
});

test("a reload loses neither a proposal nor a stroke under way", async ({ limn, admin, page, signIn }) => {
  const api = limn.api(admin.token);
  await signIn(page, admin);
  const { project, label, click, settled, one, at } = await start(api, page, "segmentation");
  await page.keyboard.press("Shift+m");
  await click(150, 150);
  await settled();
  await page.reload();
  await hydrated(page);
  await label.ready();
  await expect(page.getByTestId("proposal")).toHaveAttribute("aria-busy", "false");
  expect(await label.count()).toBe(0);
  await page.keyboard.press("Enter");
  expect(iou(await one(), disc)).toBeGreaterThan(0.95);
  // The brush is down when the page goes.
  await page.keyboard.press("Escape");
  await page.keyboard.press("b");
  await page.mouse.move(...at(300, 40));
  await page.mouse.down();
  await page.mouse.move(...at(420, 60), { steps: 10 });
  await page.reload();
  await page.mouse.up();
  await hydrated(page);
  await label.ready();
  await expect.poll(() => label.count()).toBe(2);
  await label.saved();
  await expect
    .poll(async () => (await stored(api, project.id)).some((a) => inside(a)(410.5, 58.5) && inside(a)(310.5, 41.5)))
    .toBe(true);
  // It is one step, and is not painted a second time.
  await page.keyboard.press("Control+z");
  await expect.poll(() => label.count()).toBe(1);
  await label.saved();
  await page.reload();
  await hydrated(page);
  await label.ready();
  expect(await label.count()).toBe(1);
});

test.describe("by touch", () => {
  test.use({ hasTouch: true, viewport: { width: 1024, height: 768 } });
  test("every smart tool, accepted by its button", async ({ limn, admin, page, signIn, shots }) => {
    const api = limn.api(admin.token);
    await signIn(page, admin);
    const { project, label, settled, at } = await start(api, page, "objects");
    const cdp = await page.context().newCDPSession(page);
    const tap = (x: number, y: number) => page.touchscreen.tap(...at(x, y));
    /** One finger along a way. */
    const swipe = async (points: [number, number][]) => {
      const send = (type: "touchStart" | "touchMove" | "touchEnd", p?: [number, number]) =>
        cdp.send("Input.dispatchTouchEvent", {
          type,
          touchPoints: p ? [{ x: at(...p)[0], y: at(...p)[1] }] : [],
        });
      await send("touchStart", points[0]);
      for (const p of points.slice(1)) await send("touchMove", p);
      // It rests before it is lifted: a flick would swallow the tap that follows.
      await page.waitForTimeout(200);
      await send("touchMove", points[points.length - 1]);
      await send("touchEnd");
    };
    const last = async (count: number) => {
      await expect.poll(() => label.count()).toBe(count);
      await expect.poll(async () => (await stored(api, project.id)).length).toBe(count);
      return stored(api, project.id);
    };
    const accept = async () => {
      await expect(page.getByTestId("proposal")).toContainText(/[1-9].* (px|corners)/);
      // A tap right after a swipe is no click to the browser; no finger is that fast.
      await page.waitForTimeout(400);
      await page.getByRole("button", { name: "Accept" }).tap();
    };
    const take = async (name: string) => {
      await page.getByRole("button", { name, exact: false }).first().tap();
      await expect(page.getByTestId("smart-bar")).toBeVisible();
    };

    await take("Magic wand");
    await tap(150, 150);
    await settled();
    await shots(page, "smart-touch");
    await page.setViewportSize({ width: 1024, height: 768 });
    await accept();
    expect(iou((await last(1))[0], disc)).toBeGreaterThan(0.95);

    await take("Cut out an object");
    await swipe([[275, 105], [300, 150], [380, 250], [445, 315]]);
    await settled();
    await accept();
    expect(Math.max(...(await last(2)).map((a) => iou(a, block)))).toBeGreaterThan(0.95);

    await take("Superpixels");
    const way: [number, number][] = [];
    for (let y = 124; y < 300; y += 7) way.push([294, y], [360, y], [426, y]);
    await swipe(way);
    await settled();
    await accept();
    expect((await last(3)).filter((a) => iou(a, block) > 0.95)).toHaveLength(2);

    await take("Scissors");
    for (let n = 0; n < 4; n++) {
      const a = (n / 4) * 2 * Math.PI;
      await tap(150 + 81 * Math.cos(a), 150 + 79 * Math.sin(a));
      await settled();
    }
    await accept();
    expect((await last(4)).filter((a) => iou(a, disc) > 0.95)).toHaveLength(2);
  });
});
