// The label page as a labeler's eyes and hands.
import type { Page } from "@playwright/test";
import { expect, hydrated } from "../fixtures";

export type Box = { category: string; x: number; y: number; w: number; h: number };

export class LabelPage {
  constructor(readonly page: Page) {}

  async open(project: string, item?: string): Promise<void> {
    await this.page.goto(`/projects/${project}/label${item ? `/${item}` : ""}`);
    await hydrated(this.page);
    await this.ready();
  }

  /** Waits until an item is on the stage and its picture is drawn. */
  async ready(): Promise<void> {
    await expect(this.page.getByTestId("item-name")).not.toBeEmpty();
    await expect(this.page.getByText("Loading the item")).toHaveCount(0);
  }

  get stage() {
    return this.page.getByTestId("stage");
  }

  async itemName(): Promise<string> {
    return this.page.getByTestId("item-name").innerText();
  }

  /** The boxes as the objects list reads them aloud. */
  async boxes(): Promise<Box[]> {
    const labels = await this.page.getByTestId("object").evaluateAll((all) => all.map((e) => e.getAttribute("aria-label")!));
    return labels.map((text) => {
      const m = /^(.*), x (\S+) y (\S+) w (\S+) h (\S+?)(?:, suggestion \S+)?$/.exec(text);
      if (!m) throw new Error(`not a box: ${text}`);
      const [x, y, w, h] = m.slice(2).map((n) => Number(n.replaceAll(/[,\u202f\u00a0]/g, "")));
      return { category: m[1], x, y, w, h };
    });
  }

  async count(): Promise<number> {
    return Number((await this.page.getByTestId("object-count").innerText()).replaceAll(",", ""));
  }

  /** Drags on the stage between two places given as shares (0..1) of it. */
  async drag(from: [number, number], to: [number, number]): Promise<void> {
    const area = (await this.stage.boundingBox())!;
    const at = ([x, y]: [number, number]) => [area.x + area.width * x, area.y + area.height * y] as const;
    const [x0, y0] = at(from);
    const [x1, y1] = at(to);
    await this.page.mouse.move(x0, y0);
    await this.page.mouse.down();
    await this.page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2, { steps: 2 });
    await this.page.mouse.move(x1, y1, { steps: 2 });
    await this.page.mouse.up();
  }

  /** Draws one box with the box tool and waits until it is in the list. */
  async draw(from: [number, number], to: [number, number]): Promise<void> {
    const before = await this.count();
    await this.page.keyboard.press("r");
    await this.drag(from, to);
    await expect.poll(() => this.count()).toBe(before + 1);
  }

  async saved(): Promise<void> {
    await expect(this.page.getByTestId("save-state")).toHaveText("Saved");
  }

  async submit(): Promise<void> {
    await this.page.keyboard.press("Enter");
  }
}
