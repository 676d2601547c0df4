import type { ReactNode } from "react";

/** A setting: what it is, in words, and what changes it. */
export function Row({
  icon,
  title,
  text,
  children,
}: {
  icon?: ReactNode;
  title: string;
  text?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <div className="settings-row">
      <span className="settings-icon" aria-hidden="true">
        {icon}
      </span>
      <div className="settings-text">
        <p>{title}</p>
        {text ? <p className="caption">{text}</p> : null}
      </div>
      {children}
    </div>
  );
}
