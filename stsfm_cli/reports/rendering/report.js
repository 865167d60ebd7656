// Code is copied by a button; without this, all is there.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // a page that was not served over https
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

for (const block of document.querySelectorAll(".code pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "copy";
  button.addEventListener("click", () =>
    copy(block.textContent).then(
      () => (button.textContent = "copied"),
      () => (button.textContent = "not allowed")
    )
  );
  block.parentElement.append(button);
}
