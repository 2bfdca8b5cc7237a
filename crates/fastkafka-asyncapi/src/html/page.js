for (const button of document.querySelectorAll('button[data-copy]')) {
  const text = () => button.parentElement.querySelector('code').textContent;
  const say = (word) => {
    button.textContent = word;
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  };
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', () => {
    navigator.clipboard.writeText(text()).then(() => say('Copied'), () => say('Not copied'));
  });
}
