import {
  Toast,
  ToastBody,
  Toaster,
  ToastTitle,
  useId,
  useToastController,
} from "@fluentui/react-components";
import { createContext, type ReactNode, useContext, useMemo } from "react";
import type { ErrorReply } from "../bridge/generated";
import { asError } from "../bridge/store";

interface Notices {
  /** Says that something the admin started is done. */
  tell(title: string, detail?: string): void;
  /** Runs a command; what it is rejected with is said. Gives whether it worked. */
  attempt(work: () => Promise<unknown>): Promise<boolean>;
}

const Context = createContext<Notices | null>(null);

export function NoticesProvider({ children }: { children: ReactNode }) {
  const id = useId("notices");
  const { dispatchToast } = useToastController(id);
  const notices = useMemo<Notices>(() => {
    const fail = (error: ErrorReply) =>
      dispatchToast(
        <Toast>
          <ToastTitle>{error.message}</ToastTitle>
          {error.hint ? <ToastBody>{error.hint}</ToastBody> : null}
        </Toast>,
        { intent: "error", timeout: 12_000 },
      );
    return {
      tell: (title, detail) =>
        dispatchToast(
          <Toast>
            <ToastTitle>{title}</ToastTitle>
            {detail ? <ToastBody>{detail}</ToastBody> : null}
          </Toast>,
          { intent: "success", timeout: 4_000 },
        ),
      attempt: async (work) => {
        try {
          await work();
          return true;
        } catch (reason) {
          fail(asError(reason));
          return false;
        }
      },
    };
  }, [dispatchToast]);
  return (
    <Context value={notices}>
      {children}
      <Toaster toasterId={id} position="bottom-end" offset={{ vertical: 40 }} />
    </Context>
  );
}

export function useNotices(): Notices {
  const notices = useContext(Context);
  if (!notices) throw new Error("There is no NoticesProvider above.");
  return notices;
}
