import { test } from 'vitest';
import { expectFigures } from './store-figures.ts';

test('appends, tokens, replays and bytes are told of the store and of a bare loop', () => expectFigures('nats'));
