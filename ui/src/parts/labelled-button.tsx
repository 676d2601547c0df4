import { Button, Tooltip } from "@fluentui/react-components";

/** A button of a toolbar; in a narrow window its label is told by the tooltip alone. */
export function LabelledButton({
  label,
  icon,
  size = "medium",
  isDisabled = false,
  onClick,
  testId,
}: {
  label: string;
  icon: React.ReactElement;
  size?: "small" | "medium";
  isDisabled?: boolean;
  onClick: () => void;
  testId: string;
}) {
  return (
    <Tooltip content={label} relationship="description">
      <Button
        size={size}
        appearance="subtle"
        icon={icon}
        disabled={isDisabled}
        onClick={onClick}
        aria-label={label}
        data-testid={testId}
      >
        <span className="button-label">{label}</span>
      </Button>
    </Tooltip>
  );
}
