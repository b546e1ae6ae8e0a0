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

  // Matrices: columns with their cells, in groups that can be hidden and moved. A page of releases
  // has a matrix without groups.
  const grouped = all('table.matrix').filter((table) => table.tHead.rows.length === 2);
  const matrices = grouped.map((table) => {
    const rows = [...table.tBodies[0].rows];
    const [top, names] = table.tHead.rows;
    const spans = all('colgroup', table).slice(1);
    const columns = [...names.cells].map((heading, index) => (
      { heading, text: heading.textContent.toLowerCase(), cells: rows.map((row) => row.cells[index + 1]) }));
    let next = 0;
    const groups = [...top.cells].slice(1).map((heading, index) => (
      { heading, span: spans[index], text: heading.textContent.toLowerCase(), columns: columns.slice(next, next += heading.colSpan) }));
    return { table, rows, top, names, groups, columns, order: 'worst' };
  });
  const showColumns = ({ groups }, name) => {
    for (const { heading, span, text, columns } of groups) {
      for (const column of columns) {
        const hidden = !column.text.includes(name) && !text.includes(name);
        if (column.heading.hidden === hidden) continue;
        column.heading.hidden = hidden;
        for (const cell of column.cells) cell.hidden = hidden;
      }
      const shown = columns.filter((column) => !column.heading.hidden).length;
      heading.hidden = !shown;
      span.span = heading.colSpan = shown || 1;
    }
  };
  const arrangeColumns = (matrix, order) => {
    if (matrix.order === order) return;
    matrix.order = order;
    const inOrder = (those) => (order === 'worst' ? those : [...those].sort((a, b) => (a.text < b.text ? -1 : 1)));
    const groups = inOrder(matrix.groups);
    const columns = groups.flatMap((group) => inOrder(group.columns));
    matrix.table.tHead.before(...groups.map((group) => group.span));
    matrix.top.append(...groups.map((group) => group.heading));
    matrix.names.append(...columns.map((column) => column.heading));
    for (const column of columns) column.heading.classList.remove('first');
    for (const group of groups) inOrder(group.columns)[0].heading.classList.add('first');
    matrix.rows.forEach((row, index) => row.append(...columns.map((column) => column.cells[index])));
  };

  // Filtering: the rows of the section of each form.
  for (const form of all('form.filter')) {
    const section = form.parentElement;
    const rows = all('tbody tr', section).map((row) => ({
      row,
      text: row.cells[0].textContent.toLowerCase(),
      verdicts: row.dataset.verdicts ? [row.dataset.verdicts] : [...row.cells].map((c) => c.className),
    }));
    // A page of one implementation has none.
    const matrix = matrices.find(({ table }) => section.contains(table));
    const chapters = all('details.chapter', section);
    const opened = chapters.map((chapter) => chapter.open);
    const apply = () => {
      const wanted = new FormData(form);
      const text = wanted.get('text').trim().toLowerCase();
      const [chapter, verdict, kind] = ['chapter', 'verdict', 'kind'].map((name) => wanted.get(name));
      if (matrix) {
        showColumns(matrix, wanted.get('implementation').trim().toLowerCase());
        arrangeColumns(matrix, wanted.get('order'));
      }
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

  // Sorting: the headings of a matrix are buttons. The first one sorts by how many deviate, as the
  // rows are at first; a heading that is sorted by gives the order of clauses.
  const rank = ['fail', 'error', 'inconclusive', 'waived', 'pass', 'not-tested', 'unsupported', ''];
  const severity = (cell) => {
    const share = cell.textContent.match(/([0-9]+) of ([0-9]+)/);
    if (share) return [rank.indexOf(cell.className), share[1] / share[2]];
    const ratio = parseFloat(cell.textContent.replace(/[^0-9.e+-]*([0-9.]+(e[+-]?[0-9]+)?)?.*/s, '$1'));
    return [rank.indexOf(cell.className), -(ratio || 0)];
  };
  for (const { table, rows, top, columns } of matrices) {
    const byDeviating = (row) => [-row.dataset.deviating, 0];
    const keys = [{ heading: top.cells[0], key: byDeviating }, ...columns.map(({ heading, cells }) => (
      { heading, key: (row, index) => severity(cells[index]) }))];
    for (const { heading, key } of keys) {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener('click', () => {
        const sorted = heading.hasAttribute('aria-sort');
        for (const other of keys) other.heading.removeAttribute('aria-sort');
        if (!sorted) heading.setAttribute('aria-sort', 'descending');
        const order = rows.map((row, index) => [...(sorted ? [] : key(row, index)), +row.dataset.place]);
        const places = [...rows.keys()].sort((a, b) => (
          order[a].map((value, i) => value - order[b][i]).find((difference) => difference) || 0));
        table.tBodies[0].append(...places.map((index) => rows[index]));
        say(sorted ? 'In the order of clauses' : 'Worst first');
      });
    }
  }

  // Printing: everything is opened.
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = all('details:not([open])');
    for (const one of closed) one.open = true;
  });
  addEventListener('afterprint', () => { for (const one of closed) one.open = false; });
})();
