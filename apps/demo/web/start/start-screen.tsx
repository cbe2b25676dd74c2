// The first thing people see: what this is, and the choice between the assistant and the echo.

import type { Tool } from '../chat/chat-state.ts';
import { useChat, useChatStore } from '../chat/use-chat.ts';
import { useAssistantKind } from './assistant-kind.ts';

interface CardProps {
  readonly tool: Tool;
  readonly title: string;
  readonly text: string;
}

function ToolCard({ tool, title, text }: CardProps) {
  const { phase } = useChat();
  const store = useChatStore();
  return (
    <button
      type="button"
      className="tool-card"
      aria-disabled={phase.name === 'starting'}
      onClick={() => phase.name === 'choosing' && void store.start(tool)}
    >
      <span className="tool-card-title">{title}</span>
      <span className="tool-card-text">{text}</span>
      <span className="tool-card-go" aria-hidden="true">
        →
      </span>
    </button>
  );
}

const steps = [
  ['Ask', 'for something long: “count to 100”, or a story.'],
  ['Cut', 'the connection in the middle of the answer.'],
  ['Watch', 'the answer complete itself: nothing lost, nothing twice.'],
] as const;

export function StartScreen() {
  const kind = useAssistantKind();
  const { phase } = useChat();
  return (
    <main id="main" className="start" tabIndex={-1}>
      <h1>
        Cut the connection. <em>Keep the conversation.</em>
      </h1>
      <p className="start-lead">
        HAIP carries conversations between people and agents. Every word is in a log before it is sent, so a lost
        connection, a reload or a second browser simply reads on from where it was.
      </p>
      <div className="tool-cards" aria-busy={phase.name === 'starting'}>
        <ToolCard tool="assistant" title="Talk with the assistant" text={kind} />
        <ToolCard
          tool="echo"
          title="Talk with the echo"
          text="Gives back what you write. The smallest tool there is."
        />
      </div>
      <ol className="steps">
        {steps.map(([verb, text]) => (
          <li key={verb}>
            <strong>{verb}</strong> {text}
          </li>
        ))}
      </ol>
    </main>
  );
}
