// Every text on the page that is not hidden, as rectangles: what overlaps, sticks out, is cut, or scrolls sideways.
() => {
  const shown = [], faults = [], wide = document.documentElement.clientWidth;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, holder = node.parentElement;
    if (!node.data.trim() || holder.closest("nav") || !holder.checkVisibility({ contentVisibilityAuto: true })) continue;
    if (holder.closest("thead") && getComputedStyle(holder.closest("thead")).clipPath !== "none") continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1) shown.push({ box, text: node.data.trim().slice(0, 40), holder });
  }
  shown.sort((one, other) => one.box.top - other.box.top);
  shown.forEach(({ box, text, holder }, place) => {
    if (box.left < -1 || box.right > wide + 1) faults.push(`sticks out: ${text}`);
    for (let next = place + 1; next < shown.length && shown[next].box.top < box.bottom - 2; next += 1) {
      const other = shown[next];
      if (other.holder !== holder && other.box.left < box.right - 2 && other.box.right > box.left + 2)
        faults.push(`overlaps: ${text} / ${other.text}`);
    }
  });
  for (const cell of document.querySelectorAll("td, th, p, li, dd, caption"))
    if (cell.checkVisibility() && getComputedStyle(cell).overflow !== "visible" && cell.scrollWidth > cell.clientWidth + 1)
      faults.push(`cut: ${cell.textContent.trim().slice(0, 40)}`);
  if (document.documentElement.scrollWidth > wide) faults.push(`scrolls sideways: ${document.documentElement.scrollWidth}`);
  return { faults: [...new Set(faults)], texts: shown.length };
}
