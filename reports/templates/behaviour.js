'use strict';
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const say = (text) => { document.getElementById('status').textContent = text; };

  // Copying.
  for (const button of all('button.copy')) {
    const text = button.parentElement.querySelector('code').textContent;
    const label = button.innerHTML;
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = document.createElement('textarea');
        area.value = text;
        button.after(area);
        area.select();
        document.execCommand('copy');
        area.remove();
        button.focus();
      }
      button.textContent = 'Copied';
      say('Copied');
      setTimeout(() => { button.innerHTML = label; say(''); }, 2000);
    });
  }

  // Filtering: the rows of the section of each form.
  for (const form of all('form.filter')) {
    const section = form.parentElement;
    const rows = all('tbody tr', section).map((row) => ({
      row,
      text: row.cells[0].textContent.toLowerCase(),
      verdicts: row.dataset.verdicts ? [row.dataset.verdicts] : [...row.cells].map((c) => c.className),
    }));
    // The columns of a matrix, but for the first. A page of one implementation has none.
    const columns = all('table.matrix thead th', section).map((heading, index) => (
      { heading, index, text: heading.textContent.toLowerCase() })).slice(1);
    const show = (name) => {
      for (const { heading, index, text } of columns) {
        const hidden = !text.includes(name);
        if (heading.hidden === hidden) continue;
        heading.hidden = hidden;
        for (const { row } of rows) row.cells[index].hidden = hidden;
      }
    };
    const chapters = all('details.chapter', section);
    const opened = chapters.map((chapter) => chapter.open);
    const apply = () => {
      const wanted = new FormData(form);
      const text = wanted.get('text').trim().toLowerCase();
      const [chapter, verdict, kind] = ['chapter', 'verdict', 'kind'].map((name) => wanted.get(name));
      show((wanted.get('implementation') || '').trim().toLowerCase());
      let shown = 0;
      for (const { row, text: words, verdicts } of rows) {
        row.hidden = !(words.includes(text)
          && (!chapter || row.dataset.chapter === chapter)
          && (!kind || row.dataset.kind === kind)
          && (!verdict || verdicts.includes(verdict))
          && (!wanted.has('differing') || 'differing' in row.dataset));
        shown += !row.hidden;
      }
      const idle = !text && !verdict;
      chapters.forEach((one, i) => {
        one.hidden = !one.querySelector('tbody tr:not([hidden])');
        one.open = idle ? opened[i] : !one.hidden;
      });
      form.querySelector('output').textContent = `${shown} of ${rows.length} clauses`;
    };
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('input', apply);
    form.hidden = false;
    apply();
  }

  // Sorting: each heading of a matrix is a button. The first one sorts by how many deviate.
  const rank = ['fail', 'error', 'inconclusive', 'waived', 'pass', 'not-tested', 'unsupported', ''];
  for (const table of all('table.matrix')) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const headings = [...table.tHead.rows[0].cells];
    const key = (row, column) => {
      if (column === 0) return [-row.dataset.deviating, 0];
      const cell = row.cells[column];
      const share = cell.textContent.match(/([0-9]+) of ([0-9]+)/);
      if (share) return [rank.indexOf(cell.className), share[1] / share[2]];
      const ratio = parseFloat(cell.textContent.replace(/[^0-9.e+-]*([0-9.]+(e[+-]?[0-9]+)?)?.*/s, '$1'));
      return [rank.indexOf(cell.className), -(ratio || 0)];
    };
    headings.forEach((heading, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener('click', () => {
        const sorted = heading.getAttribute('aria-sort') === 'descending';
        for (const other of headings) other.removeAttribute('aria-sort');
        let rows = original;
        if (!sorted) {
          heading.setAttribute('aria-sort', 'descending');
          const keys = new Map(original.map((row) => [row, key(row, column)]));
          rows = [...original].sort((a, b) => {
            const [x, y] = [keys.get(a), keys.get(b)];
            return x[0] - y[0] || x[1] - y[1];
          });
        }
        body.append(...rows);
        say(rows === original ? 'In the order of clauses' : 'Worst first');
      });
    });
  }

  // Printing: everything is opened.
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = all('details:not([open])');
    for (const one of closed) one.open = true;
  });
  addEventListener('afterprint', () => { for (const one of closed) one.open = false; });
})();
