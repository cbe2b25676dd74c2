// Where nginx is: NGINX_PATH, a usual place, or PATH.
import { findProgram } from './programs.ts';

/** The path of an nginx that exists, or undefined. */
export function findNginx(): string | undefined {
  const usualPlaces = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'];
  return findProgram({ variable: 'NGINX_PATH', usualPlaces, names: ['nginx'] });
}
