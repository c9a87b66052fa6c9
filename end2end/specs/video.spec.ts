// Videos: a sequence comes in, an object is drawn on one frame and moved on another, leaves, is cut in two and put together;
// everything undone and done again; and out as MOT. Then a file that ffmpeg takes apart.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { drawn, finished, makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, hydrated, test, unique } from "../fixtures";
import type { Api } from "../fixtures";
import type { Page } from "@playwright/test";

type Keyframe = { frame: number; shape: { kind: string; rect: { x: number; y: number; w: number; h: number } }; outside?: boolean; occluded?: boolean };
type Track = { id: string; kind: string; category_id: string; keyframes: Keyframe[] };

const FRAMES = 24;

/** A bright square that goes to the right by eight pixels a frame. */
function frame(n: number): Buffer {
  return drawn(320, 240, (x, y) => {
    const on = x >= 40 + n * 8 && x < 80 + n * 8 && y >= 100 && y < 140;
    return on ? [235, 190, 70] : [40 + x / 8, 60 + y / 8, 90];
  });
}

async function stored(api: Api, project: string): Promise<Track[]> {
  const [row] = (await api.get(`/api/v1/projects/${project}/items`)).rows;
  return row.annotations;
}

const keys = (t: Track) => t.keyframes.map((k) => `${k.frame}${k.outside ? "o" : ""}${k.occluded ? "q" : ""}`).join(" ");

/** The frame in view, as the page says. */
const at = (page: Page) => page.getByLabel("Frame number").inputValue();

/** The files of a zip. */
function unzip(bytes: Buffer): Map<string, Buffer> {
  const out = new Map<string, Buffer>();
  let end = bytes.length - 22;
  while (bytes.readUInt32LE(end) !== 0x06054b50) end--;
  let entry = bytes.readUInt32LE(end + 16);
  for (let n = bytes.readUInt16LE(end + 10); n > 0; n--) {
    const [packed, name, extra, comment] = [bytes.readUInt32LE(entry + 20), bytes.readUInt16LE(entry + 28), bytes.readUInt16LE(entry + 30), bytes.readUInt16LE(entry + 32)];
    const from = bytes.readUInt32LE(entry + 42);
    const data = from + 30 + bytes.readUInt16LE(from + 26) + bytes.readUInt16LE(from + 28);
    const body = bytes.subarray(data, data + packed);
    out.set(bytes.toString("utf8", entry + 46, entry + 46 + name), bytes.readUInt16LE(entry + 10) ? inflateRawSync(body) : body);
    entry += 46 + name + extra + comment;
  }
  return out;
}

test("a sequence is labeled by a track, and goes out as MOT", async ({ limn, admin, page, signIn, a11y, shots }) => {
  test.setTimeout(120_000);
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Video"), { items: 0 });
  await signIn(page, admin);

  // In: the pictures are chosen, and said to be frames.
  await page.goto(`/projects/${project.id}/items`);
  await hydrated(page);
  await page.getByRole("button", { name: "Upload" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Frames of a video").click();
  await dialog.getByLabel("Frames a second").fill("0");
  await expect(dialog.getByText("a number from 0.01 to 1000")).toBeVisible();
  await dialog.getByLabel("Frames a second").fill("10");
  await shots(page, "video-upload");
  await page.setViewportSize({ width: 1440, height: 900 });
  const files = Array.from({ length: FRAMES }, (_, n) => ({ name: `walk_${n + 1}.png`, mimeType: "image/png", buffer: frame(n) }));
  const chooser = page.waitForEvent("filechooser");
  await dialog.getByText("Choose files").click();
  await (await chooser).setFiles(files);
  await expect.poll(async () => (await api.get(`/api/v1/projects/${project.id}/items`)).rows.length, { timeout: 30_000 }).toBe(1);
  const item = (await api.get(`/api/v1/projects/${project.id}/items`)).rows[0].item;
  expect([item.name, item.length, item.media_type]).toEqual(["walk", FRAMES, "video/x-limn-frames"]);
  const times = (await api.get(`/api/v1/items/${item.id}/frames`)).times_us;
  expect(times.slice(0, 3)).toEqual([0, 100_000, 200_000]);
  await shots(page, "video-items");
  await page.setViewportSize({ width: 1440, height: 900 });

  // Drawn on frame 0.
  const label = new LabelPage(page);
  await label.open(project.id);
  await expect(page.getByTestId("timeline")).toBeVisible();
  await expect(page.getByText("Draw an object on a frame")).toBeVisible();
  await shots(page, "video-empty");
  await page.setViewportSize({ width: 1440, height: 900 });
  await label.draw([0.3, 0.4], [0.4, 0.6]);
  await label.saved();
  let [track] = await stored(api, project.id);
  expect([track.kind, keys(track)]).toEqual(["track", "0"]);
  const first = track.keyframes[0].shape.rect;

  // On by ten, moved there: in between it moves by itself, on the server too.
  await page.keyboard.press("Shift+v");
  await page.keyboard.press("v");
  expect(await at(page)).toBe("10");
  await label.drag([0.35, 0.5], [0.6, 0.5]);
  await label.saved();
  [track] = await stored(api, project.id);
  expect(keys(track)).toBe("0 10");
  const tenth = track.keyframes[1].shape.rect;
  expect(tenth.x).toBeGreaterThan(first.x + 20);
  for (let n = 0; n < 5; n++) await page.keyboard.press("d");
  expect(await at(page)).toBe("5");
  const [between] = await label.boxes();
  expect(between.x).toBeCloseTo((first.x + tenth.x) / 2, 1);
  await shots(page, "video-between");
  await page.setViewportSize({ width: 1440, height: 900 });

  // Something in front of it from 12 on; it leaves at 16.
  await page.getByLabel("Frame number").fill("12");
  await page.getByLabel("Frame number").press("Enter");
  await page.getByLabel("Frame number").blur();
  await page.keyboard.press("q");
  await expect(page.getByRole("button", { name: /^Occluded from here/ })).toHaveAttribute("aria-pressed", "true");
  for (let n = 0; n < 4; n++) await page.keyboard.press("f");
  await page.keyboard.press("o");
  await expect(page.getByRole("button", { name: /^Outside from here/ })).toHaveAttribute("aria-pressed", "true");
  expect(await label.count()).toBe(0);
  await label.saved();
  expect(keys((await stored(api, project.id))[0])).toBe("0 10 12q 16oq");

  // From keyframe to keyframe, split on frame 5, merged again.
  await page.keyboard.press("[");
  expect(await at(page)).toBe("12");
  await page.keyboard.press("[");
  await page.keyboard.press("[");
  expect(await at(page)).toBe("0");
  for (let n = 0; n < 5; n++) await page.keyboard.press("f");
  await page.keyboard.press("Alt+m");
  await label.saved();
  let tracks = await stored(api, project.id);
  expect(tracks.map(keys).sort()).toEqual(["0 5o", "5 10 12q 16oq"]);
  const lanes = page.getByTestId("timeline").getByRole("listitem");
  await expect(lanes).toHaveCount(2);
  await a11y(page);
  await shots(page, "video-split");
  await page.setViewportSize({ width: 1440, height: 900 });
  await lanes.getByRole("button").first().click();
  await lanes.getByRole("button").nth(1).click({ modifiers: ["Shift"] });
  await page.keyboard.press("m");
  await label.saved();
  tracks = await stored(api, project.id);
  expect(tracks.map(keys)).toEqual(["0 5 10 12q 16oq"]);

  // A category for all of it; a keyframe taken away.
  await page.keyboard.press("Shift+2");
  await page.getByLabel("Frame number").fill("5");
  await page.getByLabel("Frame number").press("Enter");
  await page.getByLabel("Frame number").blur();
  await page.keyboard.press("k");
  await label.saved();
  const end = (await stored(api, project.id))[0];
  expect([keys(end), end.category_id]).toEqual(["0 10 12q 16oq", project.categories[1].id]);

  // Back to nothing, and all of it again, over a reload in between.
  await page.reload();
  await hydrated(page);
  await label.ready();
  for (let n = 0; n < 8; n++) await page.keyboard.press("Control+z");
  await label.saved();
  await expect.poll(async () => (await stored(api, project.id)).length).toBe(0);
  for (let n = 0; n < 8; n++) await page.keyboard.press("Control+Shift+z");
  await label.saved();
  await expect.poll(async () => (await stored(api, project.id)).map(keys)).toEqual(["0 10 12q 16oq"]);

  // Played to its end by a tap on the space bar, and by the button.
  await page.keyboard.press("Home");
  await page.getByLabel("Speed").selectOption("4");
  await label.stage.focus();
  await page.keyboard.press("Space");
  await expect.poll(() => at(page), { timeout: 20_000 }).toBe(String(FRAMES - 1));
  await expect(page.getByRole("button", { name: /^Play/ })).toBeVisible();

  // Out.
  const job = await finished(api, await api.post(`/api/v1/projects/${project.id}/exports`, { format: "mot" }));
  const zip = Buffer.from(await (await api.raw("GET", job.result.url)).arrayBuffer());
  const out = unzip(zip);
  const lines = out.get("walk/gt/gt.txt")!.toString().trim().split("\n").map((l) => l.split(",").map(Number));
  expect(lines).toHaveLength(16);
  expect(lines.map((l) => l[0])).toEqual(Array.from({ length: 16 }, (_, n) => n + 1));
  const [from, to] = [end.keyframes[0].shape.rect, end.keyframes[1].shape.rect];
  for (let n = 0; n <= 10; n++) {
    expect(lines[n][2]).toBeCloseTo(from.x + ((to.x - from.x) * n) / 10, 6);
    expect(lines[n].slice(6)).toEqual([1, 2, 1]);
  }
  expect(lines[12][8], "occluded").toBe(0);
  expect(out.get("walk/gt/labels.txt")!.toString()).toBe("raccoon\nfox\n");
  expect(out.get("walk/seqinfo.ini")!.toString()).toContain("frameRate=10\nseqLength=24\n");

  // On a phone one looks through it.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("button", { name: /^Previous frame/ }).click();
  expect(await at(page)).toBe(String(FRAMES - 2));
});

test("a video file is taken apart, and its report says where it stops", async ({ limn, admin, page, signIn }) => {
  test.setTimeout(90_000);
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Film"), { task: "objects", items: 1 });
  const dir = mkdtempSync(join(tmpdir(), "limn-video-"));
  const file = join(dir, "clip.mkv");
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10:duration=4", "-c:v", "mjpeg", "-q:v", "3", file]);
  const whole = readFileSync(file);
  await signIn(page, admin);
  await page.goto(`/projects/${project.id}/items`);
  await hydrated(page);
  await page.getByRole("button", { name: "Upload" }).first().click();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("dialog").getByText("Choose files").click();
  await (await chooser).setFiles([
    { name: "clip.mkv", mimeType: "video/x-matroska", buffer: whole },
    { name: "cut.mkv", mimeType: "video/x-matroska", buffer: whole.subarray(0, whole.length / 2) },
    { name: "none.mp4", mimeType: "video/mp4", buffer: Buffer.from("no video") },
  ]);
  await expect.poll(async () => (await api.get(`/api/v1/projects/${project.id}/items`)).rows.length, { timeout: 60_000 }).toBe(3);
  const jobs = (await api.get("/api/v1/jobs")).rows.filter((j: any) => j.project_id === project.id);
  const reports = await Promise.all(jobs.map(async (j: any) => (await finished(api, j)).result));
  const codes = reports.flatMap((r: any) => r.entries.map((e: any) => e.code)).sort();
  expect(codes).toEqual(["bad_video", "video_cut_short"]);
  const items = (await api.get(`/api/v1/projects/${project.id}/items`)).rows.map((r: any) => r.item);
  const clip = items.find((i: any) => i.name === "clip.mkv");
  expect((await api.get(`/api/v1/items/${clip.id}/frames`)).times_us).toHaveLength(40);
  // Beside it pictures are pictures: no timeline, and masks can be painted again.
  const label = new LabelPage(page);
  await label.open(project.id, clip.id);
  await expect(page.getByTestId("timeline")).toBeVisible();
  await expect(page.getByRole("button", { name: /^Brush/ })).toHaveCount(0);
  await page.keyboard.press("b");
  await expect(page.getByText("Pixels are not for videos")).toBeVisible();
  const still = items.find((i: any) => i.media_type === "image/png");
  await label.open(project.id, still.id);
  await expect(page.getByTestId("timeline")).toHaveCount(0);
  await expect(page.getByRole("button", { name: /^Brush/ })).toBeVisible();
});
