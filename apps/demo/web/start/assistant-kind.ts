import { useEffect, useState } from 'react';

const embedded = 'Small, embedded, needs no key and no network. Knows HAIP, tells stories, remembers what you say.';

function describe(about: unknown): string {
  const { assistant } = about as { assistant?: { kind?: string; model?: string | null } };
  if (assistant?.kind !== 'model') return embedded;
  return `Speaks with ${assistant.model ?? 'the language model'} that this server is set up with.`;
}

/** One sentence on the assistant of this server: the embedded one, or a model. */
export function useAssistantKind(): string {
  const [kind, setKind] = useState(embedded);
  useEffect(() => {
    const controller = new AbortController();
    fetch('/about.json', { signal: controller.signal })
      .then((response) => response.json())
      .then((about) => setKind(describe(about)))
      .catch(() => {
        // The card then speaks of the embedded one; the conversation itself does not depend on it.
      });
    return () => controller.abort();
  }, []);
  return kind;
}
