// What a conversation looks like before its first word: things to say.

import { useChat } from './use-chat.ts';

interface Beginning {
  readonly title: string;
  readonly hint: string;
  readonly suggestions: readonly string[];
}

const withAssistant: Beginning = {
  title: 'What shall we talk about?',
  hint: 'Ask for something long. While it comes, cut the connection or change what carries it.',
  suggestions: [
    'Count to 100',
    'Tell me a story',
    'Remind me to stretch in an hour',
    'What happens when the connection breaks?',
    'Help me plan a birthday party',
    'What can you do?',
  ],
};

const withEcho: Beginning = {
  title: 'Say something.',
  hint: 'It comes back. Try it while offline, too.',
  suggestions: ['Hello?', 'One, two, three'],
};

export function EmptyState({ onChoose }: { readonly onChoose: (text: string) => void }) {
  const { tool } = useChat();
  const { title, hint, suggestions } = tool === 'echo' ? withEcho : withAssistant;
  return (
    <section className="empty" aria-labelledby="empty-title">
      <h1 id="empty-title">{title}</h1>
      <p>{hint}</p>
      <ul className="suggestions">
        {suggestions.map((text) => (
          <li key={text}>
            <button type="button" className="suggestion" onClick={() => onChoose(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
