// The label page of a document as a labeler's eyes and hands.
import { inflateRawSync } from "node:zlib";
import type { Page } from "@playwright/test";
import { expect, type Api } from "../fixtures";
import { finished } from "./data";
import { LabelPage } from "./label";

export class TextPage extends LabelPage {
  constructor(page: Page) {
    super(page);
  }

  get document() {
    return this.page.getByRole("textbox", { name: "Text of the document" });
  }

  async ready(): Promise<void> {
    await super.ready();
    await expect(this.document.locator(".label-text__block").first()).toBeAttached();
  }

  /** Where the n-th place of some text is on the screen, its first and its last character. */
  async place(text: string, n = 0): Promise<{ x0: number; x1: number; y0: number; y1: number }> {
    return this.document.evaluate(
      (page, [text, n]) => {
        // Over all runs: a stretch may be marked in parts.
        const walk = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
        const nodes: [Node, number][] = [];
        let all = "";
        for (let node = walk.nextNode(); node; node = walk.nextNode()) {
          nodes.push([node, all.length]);
          all += node.textContent;
        }
        let at = -1;
        for (let i = 0; i <= (n as number); i++) at = all.indexOf(text as string, at + 1);
        if (at < 0) throw new Error(`no ${text}`);
        const find = (at: number): [Node, number] => {
          const [node, start] = nodes.filter(([, start]) => start <= at).at(-1)!;
          return [node, at - start];
        };
        const range = document.createRange();
        range.setStart(...find(at));
        const [last, i] = find(at + (text as string).length - 1);
        range.setEnd(last, i + 1);
        (range.startContainer.parentElement as Element).scrollIntoView({ block: "center" });
        const rects = [...range.getClientRects()];
        const [a, b] = [rects[0], rects.at(-1)!];
        return { x0: a.left, x1: b.right, y0: (a.top + a.bottom) / 2, y1: (b.top + b.bottom) / 2 };
      },
      [text, n] as const,
    );
  }

  /** Drags over some text. */
  async drag_over(text: string, n = 0): Promise<void> {
    const at = await this.place(text, n);
    await this.page.mouse.move(at.x0 + 1, at.y0);
    await this.page.mouse.down();
    await this.page.mouse.move((at.x0 + at.x1) / 2, at.y1, { steps: 3 });
    await this.page.mouse.move(at.x1 - 1, at.y1, { steps: 3 });
    await this.page.mouse.up();
  }

  async double_click(text: string, n = 0): Promise<void> {
    const at = await this.place(text, n);
    await this.page.mouse.dblclick((at.x0 + at.x1) / 2, at.y0);
  }

  async click(text: string, n = 0): Promise<void> {
    const at = await this.place(text, n);
    await this.page.mouse.click((at.x0 + at.x1) / 2, at.y0);
  }

  /** The spans as the list has them: text, category, place. */
  async spans(): Promise<string[]> {
    const all = await this.page
      .getByTestId("object")
      .evaluateAll((rows) => rows.map((r) => `${r.getAttribute("aria-label")}`));
    return all.map((t) => t.replace(/, characters (\d+) to (\d+)/, " $1-$2"));
  }
}

/** A project with documents, made over the public API. */
export async function makeTextProject(
  api: Api,
  name: string,
  task: string,
  categories: string[],
  documents: Record<string, string | Uint8Array>,
): Promise<string> {
  const project = await api.post("/api/v1/projects", { name, task, categories: categories.map((c, i) => ({ name: c, hotkey: i + 1 })) });
  for (const [file, text] of Object.entries(documents)) {
    const body = typeof text === "string" ? new TextEncoder().encode(text) : text;
    const response = await api.raw("POST", `/api/v1/projects/${project.id}/items?name=${encodeURIComponent(file)}`, body);
    if (!response.ok) throw new Error(await response.text());
  }
  return project.id;
}

/** The files of a zip. */
export function unzip(zip: Buffer): Record<string, string> {
  const out: Record<string, string> = {};
  const end = zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  let at = zip.readUInt32LE(end + 16);
  for (let n = zip.readUInt16LE(end + 10); n > 0; n--) {
    const [method, packed, name, extra, comment, local] = [
      zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28),
      zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32), zip.readUInt32LE(at + 42),
    ];
    const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const bytes = zip.subarray(from, from + packed);
    out[zip.subarray(at + 46, at + 46 + name).toString()] = (method === 8 ? inflateRawSync(bytes) : bytes).toString();
    at += 46 + name + extra + comment;
  }
  return out;
}

/** An export's files. */
export async function exported(api: Api, project: string, format: string): Promise<Record<string, string>> {
  const job = await finished(api, await api.post(`/api/v1/projects/${project}/exports`, { format }));
  return unzip(Buffer.from(await (await api.raw("GET", job.result.url)).arrayBuffer()));
}
