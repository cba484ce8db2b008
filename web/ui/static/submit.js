// Sends the form at once. The prototype's method is used because a field may be named "submit".
"use strict";
HTMLFormElement.prototype.submit.call(document.getElementById("answer"));
