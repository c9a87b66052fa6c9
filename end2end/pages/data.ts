// Pictures and projects that tests make for themselves.
import { deflateSync } from "node:zlib";
import type { Api } from "../fixtures";

function crc(bytes: Buffer): number {
  let c = ~0;
  for (const b of bytes) {
    c ^= b;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(8 + data.length + 4);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc(body), 8 + data.length);
  return out;
}

function encoded(width: number, height: number, raw: Buffer): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(raw, { level: 1 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Any picture: `color` gives red, green and blue of a pixel. */
export function drawn(width: number, height: number, color: (x: number, y: number) => [number, number, number]): Buffer {
  const raw = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) raw.set(color(x, y), y * (width * 3 + 1) + 1 + x * 3);
  return encoded(width, height, raw);
}

/** A PNG with a gradient and a bright rectangle, unlike any other `seed`. */
export function png(seed: number, width = 480, height = 360): Buffer {
  const raw = Buffer.alloc((width * 3 + 1) * height);
  const [bx, by] = [40 + ((seed * 53) % (width - 160)), 40 + ((seed * 31) % (height - 140))];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * (width * 3 + 1) + 1 + x * 3;
      const inside = x >= bx && x < bx + 90 && y >= by && y < by + 70;
      raw[at] = inside ? 235 : (x * 90) / width + 40;
      raw[at + 1] = inside ? 170 + (seed % 60) : (y * 90) / height + 50;
      raw[at + 2] = inside ? 60 : 90 + ((seed * 7) % 80);
    }
  }
  return encoded(width, height, raw);
}

export type Project = { id: string; name: string; categories: { id: string; name: string }[] };

/** A project with `items` pictures, made over the public API. */
export async function makeProject(
  api: Api,
  name: string,
  { task = "detection", categories = ["raccoon", "fox"], items = 6 }: { task?: string; categories?: string[]; items?: number } = {},
): Promise<Project> {
  const project = await api.post("/api/v1/projects", { name, task, categories: categories.map((c, i) => ({ name: c, hotkey: i + 1 })) });
  for (let n = 0; n < items; n++) {
    const response = await api.raw("POST", `/api/v1/projects/${project.id}/items?name=${encodeURIComponent(`photo ${n + 1}.png`)}`, new Uint8Array(png(n)));
    if (!response.ok) throw new Error(await response.text());
  }
  return { id: project.id, name, categories: await api.get(`/api/v1/projects/${project.id}/categories`) };
}

export async function addMember(admin: Api, user: Api, project: string, role: string): Promise<void> {
  const me = await user.get("/api/v1/me");
  await admin.put(`/api/v1/projects/${project}/members/${me.id}`, { role });
}

/** Waits for a job and answers it; throws when it failed. */
export async function finished(api: Api, job: any): Promise<any> {
  while (!["succeeded", "failed", "cancelled"].includes(job.state)) {
    await new Promise((r) => setTimeout(r, 100));
    job = await api.get(`/api/v1/jobs/${job.id}`);
  }
  if (job.state !== "succeeded") throw new Error(`${job.title}: ${job.state} ${job.error}`);
  return job;
}

/** The project's COCO file. */
export async function exportCoco(api: Api, project: string): Promise<any> {
  const job = await finished(api, await api.post(`/api/v1/projects/${project}/exports`, { format: "coco" }));
  return (await api.raw("GET", job.result.url)).json();
}

/** A grey TIFF of one strip without compression: dark columns, and a bright rectangle of 8 x 4 at 5000, 3000. */
export function tiff(width: number, height: number): Buffer {
  const start = 8;
  const row = Buffer.alloc(width);
  for (let x = 0; x < width; x++) row[x] = (x >> 5) & 127;
  const pixels = Buffer.alloc(width * height);
  for (let y = 0; y < height; y++) row.copy(pixels, y * width);
  for (let y = 3000; y < 3004; y++) pixels.fill(235, y * width + 5000, y * width + 5008);
  const entries: [number, number, number][] = [
    [256, 4, width], [257, 4, height], [258, 3, 8], [259, 3, 1], [262, 3, 1], [273, 4, start], [277, 3, 1], [278, 4, height], [279, 4, pixels.length],
  ];
  const directory = Buffer.alloc(2 + entries.length * 12 + 4);
  directory.writeUInt16LE(entries.length, 0);
  entries.forEach(([tag, kind, value], n) => {
    directory.writeUInt16LE(tag, 2 + n * 12);
    directory.writeUInt16LE(kind, 4 + n * 12);
    directory.writeUInt32LE(1, 6 + n * 12);
    directory.writeUInt32LE(value, 10 + n * 12);
  });
  const head = Buffer.from("II*\0\0\0\0\0", "latin1");
  head.writeUInt32LE(start + pixels.length, 4);
  return Buffer.concat([head, pixels, directory]);
}

/** A grey PNG of 16 bits a sample. */
export function png16(width: number, height: number, value: (x: number, y: number) => number): Buffer {
  const raw = Buffer.alloc((width * 2 + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) raw.writeUInt16BE(value(x, y), y * (width * 2 + 1) + 1 + x * 2);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([16, 0, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(raw, { level: 1 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
