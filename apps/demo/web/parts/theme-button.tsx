// Light or dark: the system's choice until somebody makes their own, which is kept.

import { useEffect, useState } from 'react';
import { MoonIcon, SunIcon } from './icons.tsx';

type Theme = 'light' | 'dark';

const systemIsDark = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');

function presentTheme(): Theme {
  const { theme } = document.documentElement.dataset;
  if (theme === 'light' || theme === 'dark') return theme;
  return systemIsDark().matches ? 'dark' : 'light';
}

function chooseTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
  try {
    localStorage.setItem('haip-theme', theme);
  } catch {
    // Without storage the choice lasts until the page closes.
  }
}

export function ThemeButton() {
  const [theme, setTheme] = useState(presentTheme);

  useEffect(() => {
    const system = systemIsDark();
    const follow = () => setTheme(presentTheme());
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, []);

  const other = theme === 'dark' ? 'light' : 'dark';
  const toggle = () => {
    chooseTheme(other);
    setTheme(other);
  };
  return (
    <button type="button" className="icon-button" onClick={toggle} aria-label={`Use the ${other} theme`}>
      {theme === 'dark' ? <SunIcon /> : <MoonIcon />}
    </button>
  );
}
