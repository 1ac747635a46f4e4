// Sending a large file: fetch cannot tell how far it is, an XMLHttpRequest can.
import { Problem, root, signedIn } from "./api.js";

/**
 * @param {string} path @param {File} file @param {(fraction: number) => void} progress @param {string} [type]
 * @returns {Promise<any>} the answer; rejects with a Problem
 */
export function upload(path, file, progress, type = "application/octet-stream") {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", root + path);
    sending.responseType = "json";
    sending.setRequestHeader("Accept", "application/json");
    sending.setRequestHeader("Content-Type", type);
    sending.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    sending.onload = () => {
      if (sending.status === 401) signedIn.value = false;
      if (sending.status < 300) resolve(sending.response);
      else reject(new Problem(sending.response ?? {}, sending.status));
    };
    sending.onerror = () =>
      reject(new Problem({ detail: "The connection broke before the file had arrived. Send it again." }, 0));
    sending.send(file);
  });
}
