// How well the text of a page stands out from what is behind it, by the formula of WCAG 2.2: 1 is not at all, 21 is
// black on white.

import type { Page } from 'playwright';

export interface PaleText {
  readonly text: string;
  readonly ratio: number;
}

/** The visible texts of the page with less contrast than `least`, each with its own. */
export async function paleTexts(page: Page, least = 4.5): Promise<PaleText[]> {
  return page.evaluate<PaleText[], number>(measure, least);
}

/** Runs in the page, so it may call nothing from outside itself. */
function measure(least: number): PaleText[] {
  type Colour = readonly [red: number, green: number, blue: number];
  const brush = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  if (!brush) throw new Error('paleTexts: expected a canvas');

  /** The canvas reads every notation there is, and blends as the page does. */
  const over = (colour: string, [red, green, blue]: Colour): Colour => {
    for (const fill of [`rgb(${red} ${green} ${blue})`, colour]) {
      brush.fillStyle = fill;
      brush.fillRect(0, 0, 1, 1);
    }
    const [r = 0, g = 0, b = 0] = brush.getImageData(0, 0, 1, 1).data;
    return [r, g, b];
  };
  const mixed = (under: Colour, top: Colour, share: number): Colour => {
    const part = (index: 0 | 1 | 2): number => under[index] * (1 - share) + top[index] * share;
    return [part(0), part(1), part(2)];
  };
  const luminance = (colour: Colour): number => {
    const [r = 0, g = 0, b = 0] = colour
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  /** The ink and what is behind it, seen through every ancestor's opacity. `chain` goes from the root to the text. */
  const seen = (chain: readonly Element[], ink: string, behind: Colour): { ink: Colour; ground: Colour } => {
    const [outer, ...inner] = chain;
    if (!outer) return { ink: over(ink, behind), ground: behind };
    const { backgroundColor, opacity } = getComputedStyle(outer);
    const inside = seen(inner, ink, over(backgroundColor, behind));
    const share = Number(opacity);
    return { ink: mixed(behind, inside.ink, share), ground: mixed(behind, inside.ground, share) };
  };
  const ratioOf = (element: Element, ink: string): number => {
    const chain: Element[] = [];
    for (let at: Element | null = element; at; at = at.parentElement) chain.unshift(at);
    const { ink: text, ground } = seen(chain, ink, [255, 255, 255]);
    const [dark = 0, light = 0] = [luminance(text), luminance(ground)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  const isSeen = (element: Element): boolean => {
    const { width, height } = element.getBoundingClientRect();
    return width > 1 && height > 1 && element.checkVisibility({ visibilityProperty: true });
  };
  const ownText = (element: Element): string =>
    [...element.childNodes]
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.textContent ?? '')
      .join(' ')
      .trim();

  const texts = [...document.body.querySelectorAll('*')].filter(isSeen).flatMap((element) => {
    const hint = element instanceof HTMLTextAreaElement && element.value === '' ? element.placeholder : '';
    return [
      { text: ownText(element), ratio: ratioOf(element, getComputedStyle(element).color) },
      { text: hint, ratio: ratioOf(element, getComputedStyle(element, '::placeholder').color) },
    ].filter(({ text }) => text !== '');
  });
  if (texts.length === 0) throw new Error('paleTexts: expected some text');
  return texts.filter(({ ratio }) => ratio < least);
}
