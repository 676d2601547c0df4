import { type Theme as FluentTheme, webDarkTheme, webLightTheme } from "@fluentui/react-components";
import type { Theme } from "./bridge/generated";
import { useMedia } from "./parts/media";

const TEXT =
  "'Segoe UI Variable Text','Segoe UI','SF Pro Text','Inter Metric',system-ui,'Noto Sans',sans-serif";
const MONO = "'Cascadia Code','Cascadia Mono',Consolas,'SF Mono',ui-monospace,monospace";

const fonts = { fontFamilyBase: TEXT, fontFamilyMonospace: MONO, fontFamilyNumeric: TEXT };

export const lightTheme: FluentTheme = { ...webLightTheme, ...fonts };

// The dark strokes of the theme are too bright for twenty of them under each other, and its danger
// text too dark on raised surfaces.
export const darkTheme: FluentTheme = {
  ...webDarkTheme,
  ...fonts,
  colorNeutralBackground1: "#1f1f1f",
  colorNeutralStroke2: "#333333",
  colorNeutralStroke3: "#2d2d2d",
  colorStatusDangerForeground1: "#f1707b",
};

const system = window.matchMedia("(prefers-color-scheme: dark)");

/** Whether the window is dark now. */
export function useIsDark(theme: Theme): boolean {
  const systemDark = useMedia(system);
  return theme === "system" ? systemDark : theme === "dark";
}
