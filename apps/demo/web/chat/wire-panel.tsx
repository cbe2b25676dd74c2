// Shows the promise at work: where this reader is in the log, where it read on after a cut, and two counts that should
// stay at zero.

import { useState } from 'react';
import { transportLabel } from './transport-switch.tsx';
import { useChat } from './use-chat.ts';

const wideScreen = '(min-width: 76rem)';

interface FigureProps {
  readonly name: string;
  readonly value: number | string;
  readonly tone?: 'good' | 'bad' | undefined;
}

function Figure({ name, value, tone }: FigureProps) {
  return (
    <div className="figure" data-tone={tone}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Tape() {
  const { tape } = useChat().tally;
  return (
    <div className="tape" aria-hidden="true">
      {tape.map((mark, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: marks have no identity, only places
        <i key={index} data-mark={mark} />
      ))}
    </div>
  );
}

const times = (count: number): string => ['never', 'once'][count] ?? `${count} times`;

const zeroIsGood = (count: number): 'good' | 'bad' => (count === 0 ? 'good' : 'bad');

export function WirePanel() {
  const { tally, pending, conversation, phase, duplicates, link, transport } = useChat();
  const [isWide] = useState(() => matchMedia(wideScreen).matches);
  const { position, repeated, missing, losses, moves, resumedFrom, sinceResume } = tally;
  return (
    <aside className="wire" aria-label="The wire">
      <details open={isWide}>
        <summary>
          <span className="wire-title">The wire</span>
          <span className="wire-brief">
            position {conversation.position} · twice {repeated} · missing {missing}
          </span>
        </summary>
        <Tape />
        <dl className="figures">
          <Figure name="Position in the log" value={Math.max(position, conversation.position)} />
          <Figure name="Waiting to be stored" value={pending.length} />
          <Figure name="Carried by" value={link.name === 'connected' ? transportLabel(transport) : 'nothing'} />
          <Figure name="Moved to another" value={times(moves)} />
          <Figure name="Connection lost" value={times(losses)} />
          <Figure name="Resumed after" value={resumedFrom ?? '–'} />
          <Figure name="Brought since then" value={resumedFrom === undefined ? '–' : sinceResume} />
          <Figure name="Duplicates dropped" value={duplicates} />
          <Figure name="Shown twice" value={repeated} tone={zeroIsGood(repeated)} />
          <Figure name="Missing" value={missing} tone={zeroIsGood(missing)} />
        </dl>
        <p className="wire-note">
          Each tick is an entry of the log as it was handed to this page: a tall dark one is a person’s, a short one the
          agent’s; a tall red one is a cut, a tall green one a move. Open the link of this conversation in a second
          browser: it comes to the same position.
        </p>
        {phase.name === 'open' && <p className="wire-id">{phase.transaction}</p>}
      </details>
    </aside>
  );
}
