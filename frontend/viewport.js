// Whether the window is as narrow as a telephone: for what a style sheet alone cannot decide.
import { useEffect, useState } from "preact/hooks";

const narrow = matchMedia("(max-width: 560px)");

export function useNarrow() {
  const [now, setNow] = useState(narrow.matches);
  useEffect(() => {
    const follow = () => setNow(narrow.matches);
    narrow.addEventListener("change", follow);
    return () => narrow.removeEventListener("change", follow);
  }, []);
  return now;
}
