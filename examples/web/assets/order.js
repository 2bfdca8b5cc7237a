// Puts the receipt on the page as soon as it is there.
const answer = document.querySelector('[data-events]');
const events = new EventSource(answer.dataset.events);
events.addEventListener('receipt', (event) => {
  events.close();
  answer.innerHTML = event.data;
});
