// Texts on the page that stand out less than WCAG AA asks (4.5, or 3 where they are large).
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgb = (color) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = ([r, g, b]) => [r, g, b]
  .map((one) => one / 255)
  .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
  .reduce((sum, one, i) => sum + one * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const color = rgb(getComputedStyle(at).backgroundColor);
    if (color[3] === 255) return color;
  }
  return [255, 255, 255];
};
const faint = [];
for (const node of document.body.querySelectorAll("*")) {
  const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim());
  const style = getComputedStyle(node);
  if (!own || !node.checkVisibility() || node.closest("#strip, .skip")) continue;
  const [one, other] = [light(rgb(style.color)), light(ground(node))].sort((a, b) => b - a);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const ratio = (one + 0.05) / (other + 0.05);
  if (ratio < (large ? 3 : 4.5)) faint.push(`${node.tagName} ${node.textContent.slice(0, 40)} ${ratio}`);
}
return faint;
