// Writes the public surface as it is now to tests/exports.json. Adding a name is a decision: read the difference.
import { writeFileSync } from 'node:fs';
import { pinnedFile, publicSurface } from './public-surface.ts';

writeFileSync(pinnedFile, `${JSON.stringify(publicSurface(), null, 2)}\n`);
