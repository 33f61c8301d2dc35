"""The watch over the browser sees what it is there to see; else the other tests would hold whatever happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.lab import Lab


def test_what_is_out_of_order_is_seen(lab: Lab) -> None:
    page = lab.context.new_page()
    page.evaluate(
        """async () => {
          await fetch('https://example.org/tell').catch(() => undefined);
          console.error('broken');
          setTimeout(() => { throw new Error('thrown'); });
          setTimeout(() => alert('asked'));
        }"""
    )
    page.wait_for_timeout(300)
    page.close()
    found = lab.watched.found()
    assert found["requests leaving the machine"] == ["https://example.org/tell"]
    assert found["dialogs"] == ["asked"]
    assert {"broken", "thrown"} <= set(" ".join(found["console errors"]).split())
