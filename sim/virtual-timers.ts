// Before any transport is loaded: they take their timers from the platform.

import { virtualTimers } from '@haip/testing/simulator';

virtualTimers();
