import { createDOMRenderer, RendererProvider } from "@fluentui/react-components";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { start } from "./bridge/store";
import { styleNonce } from "./nonce";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/home.css";
import "./styles/charts.css";
import "./styles/palette.css";
import "./styles/records.css";
import "./styles/console.css";
import "./styles/api.css";
import "./styles/settings.css";
import "./styles/welcome.css";
import "./styles/setup.css";

const nonce = styleNonce();
const renderer = createDOMRenderer(document, {
  styleElementAttributes: nonce ? { nonce } : {},
});
// Everything comes from this computer: asking again is cheap, and a failure does not heal by itself.
const queries = new QueryClient({
  defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false } },
});

start();

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <RendererProvider renderer={renderer} targetDocument={document}>
        <QueryClientProvider client={queries}>
          <App />
        </QueryClientProvider>
      </RendererProvider>
    </StrictMode>,
  );
}
