/* biome-ignore-all lint/suspicious/noArrayIndexKey: the parts of a text never move, they only grow at its end */

// Shows parsed text as React elements. Strings only ever become text nodes.

import { Fragment } from 'react';
import { type Block, type Inline, parseText } from './parse-text.ts';

function InlineText({ parts }: { readonly parts: readonly Inline[] }) {
  return parts.map((part, index) => {
    if (part.kind === 'seam') return <span key={index} className="seam" title="The connection was cut here" />;
    if (part.kind === 'code') return <code key={index}>{part.text}</code>;
    if (part.kind === 'bold') return <strong key={index}>{part.text}</strong>;
    return <Fragment key={index}>{part.text}</Fragment>;
  });
}

function TextBlock({ block }: { readonly block: Block }) {
  if (block.kind === 'code') {
    return (
      <pre>
        <code>{block.text}</code>
      </pre>
    );
  }
  if (block.kind === 'paragraph') {
    return (
      <p>
        {block.lines.map((line, index) => (
          <Fragment key={index}>
            {index > 0 && <br />}
            <InlineText parts={line} />
          </Fragment>
        ))}
      </p>
    );
  }
  const items = block.items.map((item, index) => (
    <li key={index}>
      <InlineText parts={item} />
    </li>
  ));
  return block.start === undefined ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
}

interface FormattedTextProps {
  readonly text: string;
  /** Offsets at which the connection was cut while this text came. */
  readonly seams?: readonly number[] | undefined;
}

export function FormattedText({ text, seams }: FormattedTextProps) {
  return parseText(text, seams).map((block, index) => <TextBlock key={index} block={block} />);
}
